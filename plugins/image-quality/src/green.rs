//! The green channel at the size at which motion and focus are judged: it has most of the detail, and of JPEG's channels it is
//! the least smoothed.

/// A picture is judged when its longer side is about this.
const LONG: usize = 384;

/// Means that are made at once.
const PIECE: usize = 16;

/// The green of a picture, each pixel the mean of `scale * scale` of its own.
#[derive(Clone, Copy)]
pub(crate) struct Green<'a> {
    rgb: &'a [u8],
    width: usize,
    height: usize,
    scale: usize,
}

impl<'a> Green<'a> {
    /// Of a picture of `width * height` pixels as they are.
    pub(crate) fn whole(rgb: &'a [u8], width: usize, height: usize) -> Green<'a> {
        Green { rgb, width, height, scale: 1 }
    }

    /// The same picture with a longer side of 384 to 767 pixels, if it is larger.
    pub(crate) fn fitted(rgb: &'a [u8], width: usize, height: usize) -> Green<'a> {
        Green { rgb, width, height, scale: (width.max(height) / LONG).max(1) }
    }

    /// Whether its pixels are those of the picture.
    pub(crate) fn is_whole(&self) -> bool {
        self.scale == 1
    }

    pub(crate) fn width(&self) -> usize {
        self.width / self.scale
    }

    pub(crate) fn height(&self) -> usize {
        self.height / self.scale
    }

    /// Fills `line` with the pixels of the row `top` from `left` on.
    #[inline(always)]
    pub(crate) fn read(&self, left: usize, top: usize, line: &mut [i16]) {
        let (stride, scale) = (self.width * 3, self.scale);
        let mut start = top * scale * stride + left * scale * 3;
        if scale == 1 {
            let pixels = self.rgb[start..start + line.len() * 3].as_chunks::<3>().0;
            line.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = i16::from(pixel[1]));
            return;
        }
        let all = (scale * scale) as u32;
        for piece in line.chunks_mut(PIECE) {
            let length = piece.len() * scale * 3;
            let mut sums = [0_u32; PIECE];
            for inner in 0..scale {
                let pixels = &self.rgb[start + inner * stride..][..length];
                for (sum, pixels) in sums.iter_mut().zip(pixels.chunks_exact(scale * 3)) {
                    *sum += pixels.as_chunks::<3>().0.iter().map(|pixel| u32::from(pixel[1])).sum::<u32>();
                }
            }
            piece.iter_mut().zip(sums).for_each(|(to, sum)| *to = ((sum + all / 2) / all) as i16);
            start += length;
        }
    }
}
