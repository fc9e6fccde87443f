//! What the conjugate gradients are preconditioned by: a part of the Hessian's diagonal, and columns less their means.
//!
//! Columns that nearly every row has are bent far more than those of a few (Hsia, Chiang & Lin 2018, who mix the diagonal with 1 as
//! here). And what all rows have in common is bent most of all, along with the intercept. An intercept that makes up for what weights
//! do to the mean score takes that away: the change of variables `T (w, b) = (w, b - mean · w)` lets weights act on columns less
//! their means, of which none is ever filled. Of the columns without coordinates ([`layout`](super::layout)) the mean is a sum of
//! rows as all else is.

use crate::linear::newton::{Residual, Weights};
use crate::linear::vectors::{dot, near_dot, sweep};

/// `T D Tᵀ`, `D` diagonal; without means `T` is 1.
pub(super) struct Preconditioner {
    /// Of `D`, shaped as coordinates: one over what the Hessian's diagonal is taken for.
    inverse: Vec<f64>,
    /// Of the columns without coordinates, whose values are few.
    rest: f64,
    means: Option<Means>,
}

/// The mean of each column over the rows, as these weigh in the loss.
pub(super) struct Means {
    /// Of those with coordinates, shaped as coordinates; the intercepts' are 0.
    own: Vec<f64>,
    /// Of the others `Xᵀ rows`, and `X Xᵀ rows`, shape (rows,); empty where there are none.
    rows: Vec<f64>,
    image: Vec<f64>,
    /// `rows · image`.
    square: f64,
}

impl Means {
    pub(super) fn new(mut own: Vec<f64>, vectors: usize, rows: Vec<f64>, image: Vec<f64>) -> Self {
        let intercepts = own.len() - vectors;
        own[intercepts..].fill(0.0);
        let square = dot(&rows, &image);
        Means { own, rows, image, square }
    }

    /// `rows · image` of each vector of an image of shape (rows, vectors).
    fn of(&self, image: &[f64], vectors: usize) -> Vec<f64> {
        if vectors == 1 {
            return vec![dot(image, &self.rows)];
        }
        let mut sums = vec![0.0; vectors];
        for (image, row) in image.chunks_exact(vectors).zip(&self.rows) {
            sums.iter_mut().zip(image).for_each(|(sum, image)| *sum += row * image);
        }
        sums
    }
}

impl Preconditioner {
    /// From what the Hessian's diagonal is taken for: by coordinate, and elsewhere.
    pub(super) fn new(diagonal: Vec<f64>, rest: f64, means: Option<Means>) -> Self {
        let inverse = diagonal.into_iter().map(|diagonal| 1.0 / diagonal).collect();
        Preconditioner { inverse, rest: 1.0 / rest, means }
    }

    /// Takes the Hessian's diagonal for this by intercept, where there are means; for the same in all, so that they go on summing up to
    /// what they sum up to.
    pub(super) fn intercepts(&mut self, vectors: usize, diagonal: f64) {
        if self.means.is_some() {
            let first = self.inverse.len() - vectors;
            self.inverse[first..].fill(1.0 / diagonal);
        }
    }

    /// Takes a residual's preconditioned square, and what [`turn`](Self::turn) needs to know of it.
    pub(super) fn square(&self, residual: &mut Residual, vectors: usize) -> f64 {
        let squares = self.rest * dot(&residual.rows, &residual.image);
        let own = residual.own.iter().zip(&self.inverse);
        let Some(means) = &self.means else {
            return squares + own.map(|(own, inverse)| inverse * own * own).sum::<f64>();
        };
        residual.means = means.of(&residual.image, vectors);
        let intercepts = &residual.own[residual.own.len() - vectors..];
        let squares = intercepts.iter().zip(&residual.means).fold(squares, |squares, (intercept, mean)| {
            squares + self.rest * intercept * (intercept * means.square - 2.0 * mean)
        });
        let less = means.own.iter().zip(intercepts.iter().cycle()).map(|(mean, intercept)| mean * intercept);
        squares + own.zip(less).map(|((own, inverse), less)| inverse * (own - less).powi(2)).sum::<f64>()
    }

    /// The next direction: the preconditioned residual, and `keep` of the direction before. Gives `rows · image` of it.
    pub(super) fn turn(&self, direction: &mut Weights, residual: &Residual, vectors: usize, keep: f64) -> f64 {
        let rest = self.rest;
        let Some(means) = &self.means else {
            for ((direction, inverse), residual) in direction.own.iter_mut().zip(&self.inverse).zip(&residual.own) {
                *direction = inverse * residual + keep * *direction;
            }
            let squares = sweep(1, [&mut direction.rows, &mut direction.image], |at, [rows, images]| {
                let residual = residual.rows[at..].iter().zip(&residual.image[at..]);
                for ((row, image), (by_row, by_image)) in rows.iter_mut().zip(&mut *images).zip(residual) {
                    *row = rest * by_row + keep * *row;
                    *image = rest * by_image + keep * *image;
                }
                near_dot(rows, images)
            });
            return squares.into_iter().sum();
        };
        let intercepts = &residual.own[residual.own.len() - vectors..];
        // What the step does to the mean score, by vector.
        let of_rows = intercepts.iter().zip(&residual.means);
        let mut moved: Vec<f64> = of_rows.map(|(intercept, mean)| rest * (mean - intercept * means.square)).collect();
        let own = residual.own.iter().zip(&self.inverse).zip(&means.own);
        for (place, (direction, ((own, inverse), mean))) in direction.own.iter_mut().zip(own).enumerate() {
            let vector = place % vectors;
            let step = inverse * (own - mean * intercepts[vector]);
            moved[vector] += mean * step;
            *direction = step + keep * *direction;
        }
        let first = direction.own.len() - vectors;
        direction.own[first..].iter_mut().zip(moved).for_each(|(direction, moved)| *direction -= moved);
        let squares = sweep(vectors, [&mut direction.rows, &mut direction.image], |at, [rows, images]| {
            let residual = residual.rows[at..].chunks_exact(vectors).zip(residual.image[at..].chunks_exact(vectors));
            let means = means.rows[at / vectors..].iter().zip(&means.image[at / vectors..]);
            let numbers = rows.chunks_exact_mut(vectors).zip(images.chunks_exact_mut(vectors));
            for (((rows, images), (by_row, by_image)), (row, image)) in numbers.zip(residual).zip(means) {
                for (vector, intercept) in intercepts.iter().enumerate() {
                    rows[vector] = rest * (by_row[vector] - row * intercept) + keep * rows[vector];
                    images[vector] = rest * (by_image[vector] - image * intercept) + keep * images[vector];
                }
            }
            near_dot(rows, images)
        });
        squares.into_iter().sum()
    }
}
