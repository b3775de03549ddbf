# One static binary on an empty file system: the Argo CD sidecar brings its own server binary, and the
# plugin starts no other program.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
COPY plugin plugin
ENV RUSTFLAGS="-C target-feature=+crt-static"
# A named target keeps the flag away from build scripts and procedural macros, which must be dynamic.
RUN target=$(rustc -vV | sed -n 's/^host: //p') \
 && cargo build --locked --release --bin plugin --target "$target" \
 && mkdir -p /out/usr/local/bin /out/home/argocd/cmp-server/config /out/tmp \
 && cp "target/$target/release/plugin" /out/usr/local/bin/plugin \
 && cp plugin/argocd/plugin.yaml /out/home/argocd/cmp-server/config/plugin.yaml \
 && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /out /
USER 999:999
WORKDIR /tmp
ENTRYPOINT ["/usr/local/bin/plugin"]
