# The image of pixmill: one binary on a small Debian, run by an ordinary user over a read-only root file system.

FROM rust:1.95-bookworm AS build
WORKDIR /src

# The dependencies first, in a layer that is built again only when a manifest changes: every crate of ours is empty here.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates/blob/Cargo.toml crates/blob/
COPY crates/broker/Cargo.toml crates/broker/
COPY crates/engine/Cargo.toml crates/engine/
COPY crates/gateway/Cargo.toml crates/gateway/
COPY crates/pixmill/Cargo.toml crates/pixmill/
COPY crates/types/Cargo.toml crates/types/
COPY crates/worker/Cargo.toml crates/worker/
RUN for crate in crates/*; do mkdir "$crate/src" && touch "$crate/src/lib.rs"; done \
    && mv crates/pixmill/src/lib.rs crates/pixmill/src/main.rs && echo 'fn main() {}' > crates/pixmill/src/main.rs \
    && cargo build --locked --release --package pixmill

COPY crates crates
COPY recipes recipes
COPY LICENSE NOTICE ./
# Cargo goes by times, and what was copied may be older than what was built.
RUN find crates -name '*.rs' -exec touch {} + \
    && cargo build --locked --release --package pixmill \
    && strip --strip-debug -o /pixmill target/release/pixmill


FROM debian:bookworm-slim
# For TLS to Redis and to object stores.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /pixmill /usr/local/bin/pixmill

# An id beyond those of people, so that a volume that is shared by mistake is readable by nobody.
RUN groupadd --gid 10001 pixmill && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pixmill \
    && install -d -o pixmill -g pixmill /data
USER pixmill
VOLUME /data
WORKDIR /data
ENV PIXMILL_DATA=/data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["pixmill", "health"]
ENTRYPOINT ["pixmill"]
# A container is reached from outside only through the ports that whoever starts it publishes.
CMD ["serve", "--listen", "0.0.0.0:8000", "--allow-anonymous"]
