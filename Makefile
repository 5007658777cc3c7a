# What people and CI run. `make` alone lists it.

FEATURES := pixmill/failpoints
PHOTOS := testdata/bench/photo_0.3mp.jpg testdata/bench/photo_12mp.jpg testdata/bench/dense_12mp.jpg

# Each step builds on what the one before left in target/.
.NOTPARALLEL:
.PHONY: help test test-full lint unit doc-tests check-api check-avif check-kubernetes test-docker setup bench bench-engine bench-pipeline docs fuzz fuzz-minimise

help:
	@echo 'make test       everything CI checks: lint, tests, doc tests, the HTTP interface; installs what is missing'
	@echo 'make test-full  that, and the long part: whole folders (PIXMILL_CORPORA), damaged copies, many random recipes'
	@echo 'make lint       formatting and clippy, warnings are errors'
	@echo 'make unit       all Rust tests (nextest where present)'
	@echo 'make check-api  schemathesis and promtool against a running server'
	@echo 'make check-avif  what pixmill writes as AVIF, read by libavif'
	@echo 'make check-kubernetes  the manifests below deploy/kubernetes against the schemas, without a cluster'
	@echo 'make test-docker  the image and the Compose files for real; needs Docker and Compose'
	@echo 'make bench      measure this machine: make bench PHOTOS="my/*.jpg"'
	@echo 'make bench-engine    beside Pillow, libvips, OpenCV and sharp, which it installs below target/'
	@echo 'make bench-pipeline  beside FastAPI + Celery + Pillow and BullMQ + sharp, which it installs below target/'
	@echo 'make fuzz       every target of fuzz/ for SECONDS=120; needs a nightly toolchain and cargo-fuzz'
	@echo 'make fuzz-minimise  keep of what it found the least that reaches as much, in fuzz/found/'
	@echo 'make docs       write the generated pages again'
	@echo 'make setup      install what the tests need'

test: setup lint unit doc-tests check-api check-avif check-kubernetes

# The properties of the engine with 20 times the cases, every file below PIXMILL_CORPORA (testdata/ as it comes) whole, cut off and damaged,
# and what the fuzzer begins with and found.
test-full: test
	PIXMILL_TEST_FULL=1 cargo test --locked --workspace --features $(FEATURES) --test it -- jpeg_core:: jpeg_encode:: literal:: \
		pushdown:: stream::
	cargo test --locked --workspace --features $(FEATURES) --test it -- --ignored corpora::
	cargo test --locked --release --manifest-path fuzz/Cargo.toml --no-default-features

setup:
	scripts/setup

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features $(FEATURES) -- -D warnings

unit:
	scripts/unit-tests $(FEATURES)

doc-tests:
	scripts/doc-tests $(FEATURES)

check-api:
	# As the tests are built, so that what they have built is not built again with other features of the same crates.
	cargo test --locked --workspace --no-run --features $(FEATURES)
	scripts/check-api target/debug/pixmill

check-avif:
	cargo test --locked --workspace --no-run --features $(FEATURES)
	target/python/bin/python scripts/check-avif target/debug/pixmill

check-kubernetes:
	target/python/bin/python scripts/check-kubernetes deploy/kubernetes

test-docker:
	scripts/test-docker

bench:
	cargo run --locked --release -- bench $(PHOTOS) --json target/bench.json

bench-engine:
	bench/engine/setup
	target/bench-engine/python/bin/python bench/engine/run.py

bench-pipeline:
	cargo build --locked --release --package pixmill
	bench/pipeline/setup
	bench/pipeline/run.py

docs:
	cargo run --locked -- config --reference > target/settings.md
	mv target/settings.md docs/settings.md
	cargo run --locked -- recipes reference > target/recipes.md
	mv target/recipes.md docs/recipes.md
	cargo run --locked -- recipes pictures testdata/photos/kodak_23.png docs/pictures

# What was found before is where each begins, and is never lost.
GATHER = mkdir -p fuzz/corpus/$$target && if [ -d fuzz/found/$$target ]; then cp fuzz/found/$$target/* fuzz/corpus/$$target/; fi

# What it finds goes to testdata/, with a test that failed first.
SECONDS ?= 120
fuzz:
	for target in jpeg probe recipe process font; do \
		$(GATHER) && cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=400 -max_len=16384 || exit 1; \
	done

# Of all that `make fuzz` kept for those that read what others made, the fewest short inputs that reach what all of them reach.
fuzz-minimise:
	for target in jpeg process font; do \
		$(GATHER) && rm -rf fuzz/found/$$target && mkdir -p fuzz/found/$$target && \
		cargo +nightly fuzz run $$target fuzz/found/$$target fuzz/seeds/$$target fuzz/corpus/$$target -- \
			-set_cover_merge=1 -use_counters=0 -max_len=1500 -rss_limit_mb=2048 || exit 1; \
	done
