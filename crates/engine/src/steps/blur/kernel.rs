//! The weights of a sampled Gaussian.

/// Weight that may be missing beyond both ends of the kernel; the worst it can do is 0.04 of 256 levels.
const MISSING: f64 = 1.5e-4;
/// Sigmas at which the Gaussian is taken for zero: 2e-16 of it is beyond.
const FAR: f64 = 8.25;

/// The centre of a Gaussian of standard deviation `sigma` pixels, then one side of it outwards. The centre and both
/// sides add up to 1.
pub(crate) fn gaussian_weights(sigma: f64) -> Vec<f64> {
    let far = (sigma * FAR).ceil() as usize;
    let mut weights: Vec<f64> = (0..=far)
        .map(|distance| (-0.5 * (distance as f64 / sigma).powi(2)).exp())
        .collect();
    let sum = |weights: &[f64]| weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    let whole = sum(&weights);
    let mut missing = 0.0;
    while let [_, .., last] = weights[..] {
        missing += 2.0 * last / whole;
        if missing > MISSING {
            break;
        }
        weights.pop();
    }
    let kept = sum(&weights);
    for weight in &mut weights {
        *weight /= kept;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_fall_and_have_the_variance_of_sigma() {
        for sigma in [0.3, 0.5, 1.0, 2.0, 3.7, 10.0, 100.0] {
            let weights = gaussian_weights(sigma);
            let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
            assert!((sum - 1.0).abs() < 1e-12, "sigma {sigma}: {sum}");
            assert!(weights.windows(2).all(|pair| pair[0] > pair[1]), "sigma {sigma}");
            let variance: f64 = (0..).zip(&weights).map(|(d, w)| 2.0 * f64::from(d * d) * w).sum();
            // Below one pixel the sampled Gaussian has another variance than the continuous one.
            if sigma >= 1.0 {
                assert!(
                    (variance / (sigma * sigma) - 1.0).abs() < 0.005,
                    "sigma {sigma}: {variance}"
                );
            }
        }
    }
}
