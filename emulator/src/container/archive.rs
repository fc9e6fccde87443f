//! `model.tar.gz`: made from a folder, the same bytes for the same files, and unpacked again.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter},
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, GzBuilder, bufread::GzDecoder};
use tar::{Archive, Builder, EntryType, Header};

use crate::files;

/// The regular files below `folder`, as sorted paths relative to it.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                collect(root, &path, found)?;
            } else if let Ok(relative) = path.strip_prefix(root) {
                found.push(relative.to_path_buf());
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    collect(folder, folder, &mut found)?;
    found.sort();
    Ok(found)
}

/// Packs the files of `folder` at the root of the archive `to`.
pub(crate) fn pack(folder: &Path, to: &Path) -> io::Result<()> {
    let gzip = GzBuilder::new().mtime(0).write(BufWriter::new(File::create(to)?), Compression::fast());
    let mut archive = Builder::new(gzip);
    for relative in files_below(folder)? {
        let file = File::open(folder.join(&relative))?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, &relative, BufReader::new(file))?;
    }
    archive.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

/// Unpacks an archive into `folder` and makes it read-only, as an endpoint sees its model.
pub(crate) fn unpack_read_only(archive: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(File::open(archive)?)));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(io::Error::other(format!("the archive's entry `{}` leaves its folder", path.display())));
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let to = folder.join(&path);
                if let Some(parent) = to.parent() {
                    fs::create_dir_all(parent)?;
                }
                io::copy(&mut entry, &mut File::create(&to)?)?;
            }
            EntryType::Directory => fs::create_dir_all(folder.join(&path))?,
            kind => return Err(io::Error::other(format!("the archive's entry `{}` is a {kind:?}", path.display()))),
        }
    }
    seal(folder)
}

/// Makes a folder and all below it read-only.
pub(crate) fn seal(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { seal(&path)? } else { files::set_mode(&path, 0o444)? }
    }
    files::set_mode(folder, 0o555)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_read_only_and_the_bytes_are_always_the_same() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let at = |name: &str| folder.path().join(name);
        files::write(&at("model/manifest.json"), b"{}").expect("write");
        files::write(&at("model/deep/w"), &[7; 100_000]).expect("write");
        pack(&at("model"), &at("one.tar.gz")).expect("pack");
        files::set_mode(&at("model/deep/w"), 0o600).expect("mode");
        pack(&at("model"), &at("two.tar.gz")).expect("pack");
        assert_eq!(fs::read(at("one.tar.gz")).expect("one"), fs::read(at("two.tar.gz")).expect("two"));
        unpack_read_only(&at("one.tar.gz"), &at("out")).expect("unpack");
        assert_eq!(fs::read(at("out/deep/w")).expect("w"), [7; 100_000]);
        assert!(fs::metadata(at("out/manifest.json")).expect("manifest").permissions().readonly());
        files::remove_tree(&at("out")).expect("remove");
    }

    #[test]
    fn an_archive_that_leaves_its_folder_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("evil.tar.gz");
        let mut archive = Builder::new(GzBuilder::new().write(File::create(&path).expect("file"), Compression::fast()));
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..4].copy_from_slice(b"../x");
        header.set_size(0);
        header.set_cksum();
        archive.append(&header, io::empty()).expect("append");
        archive.into_inner().expect("tar").finish().expect("gzip");
        let error = unpack_read_only(&path, &folder.path().join("out")).expect_err("refused");
        assert!(error.to_string().contains("../x"), "{error}");
    }
}
