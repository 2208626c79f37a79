# syntax=docker/dockerfile:1

# The gateway (the default target) and the example services (--target examples).
#
# Linked against glibc, and run on an image with glibc of the same Debian release, its C runtime, certificate authorities
# and nothing else: no shell, no package manager. A static binary would save that image some 20 MB, and would take names
# by a resolver that knows less than glibc's.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build
COPY . .
# The caches outlive the build and are no part of the image; what is copied out of them is.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --bin natsgate \
    && mkdir /out \
    && cp target/release/natsgate /out/

# Apart, since examples bring what only tests use.
FROM build AS build-examples
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --example auth_service --example stack_worker \
    && cp target/release/examples/auth_service target/release/examples/stack_worker /out/

FROM gcr.io/distroless/cc-debian12:nonroot AS examples
COPY --from=build-examples /out/auth_service /out/stack_worker /usr/local/bin/
USER 65532:65532
STOPSIGNAL SIGTERM

FROM gcr.io/distroless/cc-debian12:nonroot AS natsgate
LABEL org.opencontainers.image.title="natsgate" \
      org.opencontainers.image.description="HTTP-to-NATS gateway" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /out/natsgate /usr/local/bin/natsgate
ENV NATSGATE_CONFIG=/etc/natsgate/config/natsgate.yaml
USER 65532:65532
EXPOSE 8080
# The program asks itself, since there is no other one here. Kubernetes ignores this line and has probes of its own.
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s CMD ["/usr/local/bin/natsgate", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/natsgate"]
CMD ["serve"]
