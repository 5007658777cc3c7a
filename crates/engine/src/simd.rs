//! Runs a kernel compiled for the widest instructions this processor has.
//!
//! Kernels are plain safe Rust; the compiler vectorises them once for every processor and once for AVX2. This is the
//! only place that knows of instruction sets.
#![expect(
    unsafe_code,
    reason = "calling code compiled for instructions that were found at run time"
)]

/// A piece of number work. `run` is to be `#[inline(always)]`, so that it is compiled into its caller.
pub(crate) trait Kernel {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs `kernel` with the widest instructions there are.
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the one condition of the call, that the processor has AVX2, was checked in the line above.
        return unsafe { run_with_avx2(kernel) };
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum<'a>(&'a [u16]);

    impl Kernel for Sum<'_> {
        type Output = u64;

        #[inline(always)]
        fn run(self) -> u64 {
            self.0.iter().map(|number| u64::from(*number)).sum()
        }
    }

    #[test]
    fn a_kernel_gives_the_same_however_it_is_compiled() {
        let numbers: Vec<u16> = (0..1003).map(|number| number * 61).collect();
        assert_eq!(run(Sum(&numbers)), Sum(&numbers).run());
    }
}
