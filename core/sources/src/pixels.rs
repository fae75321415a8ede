//! Pixels without a header, as BMP files.

/// The header of a BMP file and that of its picture.
const HEADER: usize = 54;

/// The form of pictures that are nothing but pixels, 8 bits per channel, rows from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pixels {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// 1 for gray, 3 for red, green and blue, one plane after the other.
    pub channels: u8,
}

impl Pixels {
    /// Bytes per picture.
    pub fn len(&self) -> usize {
        self.area() * usize::from(self.channels)
    }

    /// Whether pictures have no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn area(&self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// A BMP file of 24 bits per pixel; `planes` has [`Pixels::len`] bytes.
    pub(crate) fn bmp(&self, planes: &[u8]) -> Vec<u8> {
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        let row = (width * 3).next_multiple_of(4);
        let size = HEADER + row * height;
        let mut file = Vec::with_capacity(size);
        file.extend_from_slice(b"BM");
        file.extend_from_slice(&(size as u32).to_le_bytes());
        file.extend_from_slice(&[0; 4]);
        file.extend_from_slice(&(HEADER as u32).to_le_bytes());
        file.extend_from_slice(&40_u32.to_le_bytes());
        file.extend_from_slice(&u32::from(self.width).to_le_bytes());
        file.extend_from_slice(&u32::from(self.height).to_le_bytes());
        // One plane of 24 bits, not compressed, without a palette.
        file.extend_from_slice(&[1, 0, 24, 0]);
        file.resize(HEADER, 0);
        let plane = |channel: usize| match self.channels {
            1 => 0,
            _ => channel * self.area(),
        };
        for y in (0..height).rev() {
            let start = file.len();
            for x in 0..width {
                let pixel = y * width + x;
                // Blue comes first.
                file.extend([2, 1, 0].map(|channel| planes[plane(channel) + pixel]));
            }
            file.resize(start + row, 0);
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_rows_from_the_bottom_in_blue_green_red() {
        let pixels = Pixels { width: 1, height: 2, channels: 3 };
        let file = pixels.bmp(&[1, 2, 3, 4, 5, 6]);
        assert_eq!((file.len(), &file[..2]), (62, &b"BM"[..]));
        assert_eq!(file[HEADER..], [6, 4, 2, 0, 5, 3, 1, 0]);
        let gray = Pixels { width: 2, height: 1, channels: 1 };
        assert_eq!(gray.bmp(&[7, 9])[HEADER..], [7, 7, 7, 9, 9, 9, 0, 0]);
    }
}
