# The image: the three container programs, static, and nothing else.
#
#   docker buildx build --platform linux/amd64 --provenance=false --output type=docker -t sagebrush .
#
# SageMaker takes a single Docker schema 2 manifest, not an OCI index: hence no provenance and one platform.
FROM docker.io/library/rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p trainer -p serve -p monitor \
    && mkdir -p /image/usr/local/bin /image/tmp \
    && cp target/release/train target/release/serve target/release/monitor /image/usr/local/bin/ \
    && chmod 1777 /image/tmp

FROM scratch
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
COPY --from=build /image/ /
ENV PATH=/usr/local/bin
# SageMaker starts `IMAGE train` and `IMAGE serve`; monitor is named by the processing job's ContainerEntrypoint.
CMD ["serve"]
