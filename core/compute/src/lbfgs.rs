//! Minimizing a smooth convex function by limited-memory BFGS (J. Nocedal, 1980; two-loop recursion), with backtracking
//! to a sufficient decrease.

use crate::Result;
use std::collections::VecDeque;

/// Number of stored steps.
const MEMORY: usize = 10;
/// Sufficient decrease: share of the decrease predicted by the slope.
const ARMIJO: f64 = 1e-4;
/// Maximum halvings of a step: any remaining decrease is below rounding error.
const MAX_HALVINGS: usize = 20;

/// Stopping criteria.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of steps.
    pub steps: usize,
    /// Largest entry of the gradient at the end.
    pub gradient: f64,
    /// Stop after a step with a smaller relative decrease than this.
    pub decrease: f64,
}

/// Moves `x` to the minimum. `function` writes the gradient at a point and returns the value there; it may abort with
/// an error. Returns the number of steps.
///
/// # Errors
/// When `function` does.
pub fn minimize(
    x: &mut Vec<f64>,
    limits: Limits,
    mut function: impl FnMut(usize, &[f64], &mut [f64]) -> Result<f64>,
) -> Result<usize> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = function(0, x, &mut gradient)?;
    let mut history: VecDeque<Step> = VecDeque::with_capacity(MEMORY);
    let (mut candidate, mut ahead) = (x.clone(), gradient.clone());
    for step in 0..limits.steps {
        if gradient.iter().all(|g| g.abs() <= limits.gradient) {
            return Ok(step);
        }
        let direction = descend(&gradient, &history);
        let slope = dot(&direction, &gradient);
        // The first step has no curvature information: limit it to length one.
        let mut length = if history.is_empty() { 1.0_f64.min(1.0 / norm(&gradient)) } else { 1.0 };
        let mut halvings = 0;
        let reached = loop {
            for (index, to) in candidate.iter_mut().enumerate() {
                *to = x[index] + length * direction[index];
            }
            let reached = function(step + 1, &candidate, &mut ahead)?;
            if reached <= value + ARMIJO * length * slope {
                break reached;
            }
            halvings += 1;
            if halvings > MAX_HALVINGS {
                return Ok(step);
            }
            length *= 0.5;
        };
        let moved: Vec<f64> = candidate.iter().zip(x.iter()).map(|(to, from)| to - from).collect();
        let gradient_change: Vec<f64> = ahead.iter().zip(&gradient).map(|(to, from)| to - from).collect();
        let curvature = dot(&moved, &gradient_change);
        if curvature > f64::EPSILON * norm(&moved) * norm(&gradient_change) {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back(Step { moved, gradient_change, curvature });
        }
        std::mem::swap(x, &mut candidate);
        std::mem::swap(&mut gradient, &mut ahead);
        let decrease = (value - reached) / value.abs().max(f64::MIN_POSITIVE);
        value = reached;
        if decrease < limits.decrease {
            return Ok(step + 1);
        }
    }
    Ok(limits.steps)
}

/// The displacement of one step, and the change of the gradient.
struct Step {
    moved: Vec<f64>,
    gradient_change: Vec<f64>,
    curvature: f64,
}

/// The direction of descent: the inverse Hessian approximated from the stored steps, times the negative gradient.
fn descend(gradient: &[f64], history: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(history.len());
    for step in history.iter().rev() {
        let share = dot(&step.moved, &direction) / step.curvature;
        add(&mut direction, -share, &step.gradient_change);
        shares.push(share);
    }
    if let Some(last) = history.back() {
        let scale = last.curvature / dot(&last.gradient_change, &last.gradient_change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (step, share) in history.iter().zip(shares.into_iter().rev()) {
        let back = dot(&step.gradient_change, &direction) / step.curvature;
        add(&mut direction, share - back, &step.moved);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_bowl_is_left_at_its_bottom() {
        let bottom = [3.0, -2.0, 0.5];
        let stretch = [1.0, 100.0, 0.01];
        let mut x = vec![0.0; 3];
        let limits = Limits { steps: 100, gradient: 1e-9, decrease: 0.0 };
        let steps = minimize(&mut x, limits, |_, x, gradient| {
            let mut value = 0.0;
            for index in 0..3 {
                let off = x[index] - bottom[index];
                gradient[index] = stretch[index] * off;
                value += 0.5 * stretch[index] * off * off;
            }
            Ok(value)
        })
        .unwrap();
        assert!(steps < 40, "{steps}");
        assert!(x.iter().zip(bottom).all(|(a, b)| (a - b).abs() < 1e-6), "{x:?}");
    }
}
