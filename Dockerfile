# The emulator of Paid, as one static program.
#
#   docker build -t paid-emulator .
#   docker run --rm -p 127.0.0.1:4010:4010 paid-emulator
#
# In the container it listens on every address; the line above publishes it on this machine only.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ make perl && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked \
    --target "$(rustc --print host-tuple)" -p paid-api --bin paid-emulator --features emulator-cli \
    && cp "target/$(rustc --print host-tuple)/release/paid-emulator" /paid-emulator

FROM scratch
COPY --from=build /paid-emulator /paid-emulator
EXPOSE 4010
ENTRYPOINT ["/paid-emulator", "--listen", "0.0.0.0"]
