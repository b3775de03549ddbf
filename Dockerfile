# One static binary on an empty file system: the Argo CD sidecar brings its own server binary, and the
# plugin starts no other program.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY plugin plugin
ENV RUSTFLAGS="-C target-feature=+crt-static"
# A named target keeps the flag away from build scripts and procedural macros, which must be dynamic.
RUN target=$(rustc -vV | sed -n 's/^host: //p') \
 && cargo build --locked --profile dist --bin plugin --target "$target" \
 && mkdir -p /out/usr/local/bin /out/home/argocd/cmp-server/config /out/tmp \
 && cp "target/$target/dist/plugin" /out/usr/local/bin/plugin \
 && cp plugin/argocd/plugin.yaml /out/home/argocd/cmp-server/config/plugin.yaml \
 && chmod 1777 /out/tmp

# For a policy that enables charts, remotes or functions: docker build --target programs
FROM debian:bookworm-slim AS programs
COPY --from=docker.io/alpine/helm:3.19.0 /usr/bin/helm /usr/local/bin/helm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl git \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /
# The names under which it stands in for those programs.
RUN ln -s plugin /usr/local/bin/kustomize && ln -s plugin /usr/local/bin/ksops
USER 999:999
WORKDIR /tmp
ENTRYPOINT ["/usr/local/bin/plugin"]

FROM scratch
COPY --from=build /out /
USER 999:999
WORKDIR /tmp
ENTRYPOINT ["/usr/local/bin/plugin"]
