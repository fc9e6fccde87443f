# The image: one static executable, what it is made of, and nothing else. image/build lays out its root and builds it:
#
#   image/build
#
# linux/amd64 or linux/arm64, as the machine is.
FROM scratch
LABEL org.opencontainers.image.title=sagebrush \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    com.amazonaws.sagemaker.capabilities.multi-models=true \
    com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
COPY . /
ENV PATH=/usr/local/bin
# SageMaker starts `IMAGE train` and `IMAGE serve`; monitor is named by the processing job's ContainerEntrypoint.
CMD ["serve"]
