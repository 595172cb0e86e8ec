//! Product images: a tiny valid bitmap each.

const SIDE: u32 = 4;
const HEADER: u32 = 54;

/// A BMP of four by four pixels in two colors.
pub(super) fn bitmap(front: [u8; 3], back: [u8; 3]) -> Vec<u8> {
    let pixels = SIDE * SIDE * 3; // 12 bytes a row: no padding
    let mut file = Vec::with_capacity((HEADER + pixels) as usize);
    file.extend(b"BM");
    for word in [HEADER + pixels, 0, HEADER, 40, SIDE, SIDE] {
        file.extend(word.to_le_bytes());
    }
    file.extend(1_u16.to_le_bytes()); // planes
    file.extend(24_u16.to_le_bytes()); // bits a pixel
    for word in [0, pixels, 2835, 2835, 0, 0] {
        file.extend(word.to_le_bytes()); // uncompressed; 72 dots an inch; no palette
    }
    for pixel in 0..SIDE * SIDE {
        let inside = (1..SIDE - 1).contains(&(pixel % SIDE)) && (1..SIDE - 1).contains(&(pixel / SIDE));
        file.extend(if inside { front } else { back });
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_files_true_size() {
        let file = bitmap([1, 2, 3], [4, 5, 6]);
        assert_eq!(file.len(), 102);
        assert_eq!(file[2..6], 102_u32.to_le_bytes());
        assert_eq!(file[54..57], [4, 5, 6]);
        assert_eq!(file[54 + 15..54 + 18], [1, 2, 3]);
    }
}
