"""Takes out of an image in a folder what buildah wrote there by chance, and tells its digest: settle.py FOLDER NAME"""

import hashlib
import json
import pathlib
import sys

folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
manifest = json.loads((folder / "manifest.json").read_bytes())
before = folder / manifest["config"]["digest"].removeprefix("sha256:")
config = json.loads(before.read_bytes())
# The container that it was built in, and that one's host.
config.pop("container", None)
for part in ("config", "container_config"):
    config.get(part, {}).pop("Hostname", None)
text = json.dumps(config, sort_keys=True, separators=(",", ":")).encode()
before.unlink()
digest = hashlib.sha256(text).hexdigest()
(folder / digest).write_bytes(text)
manifest["config"] |= {"digest": f"sha256:{digest}", "size": len(text)}
text = json.dumps(manifest, indent=3).encode()
(folder / "manifest.json").write_bytes(text)
layers = [layer["size"] for layer in manifest["layers"]]
print(f"{name} sha256:{hashlib.sha256(text).hexdigest()}")
print(f"{manifest['mediaType']}, layers of {', '.join(map(str, layers))} bytes; {sum(layers) + manifest['config']['size']} in all")
