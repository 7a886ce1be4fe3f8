//! QR images of links: PNG of a chosen size, and SVG.
//!
//! Error correction M, four modules of quiet zone, whole pixels for each module: what phones read best
//! from a screen. Anyone may show the images in a page of their own.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;

use crate::api::error::ApiError;

/// The side of an image unless it is said otherwise.
pub(crate) const DEFAULT_SIZE_PX: usize = 400;
/// The smallest and the largest image.
const SIZES_PX: std::ops::RangeInclusive<usize> = 100..=1000;
/// Modules of white on each side.
const QUIET_ZONE: usize = 4;
/// No link of the playground is longer, and a longer one would not fit into 100 pixels.
const MAX_LINK_BYTES: usize = 300;

/// What may be asked of an image: `?size=100..1000` (pixels, 400 unless said otherwise) and
/// `?format=png` or `svg`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    size: Option<String>,
    #[serde(default)]
    format: Option<String>,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QrError {
    /// The link is too long.
    #[error("a link of more than {MAX_LINK_BYTES} bytes does not become a QR image")]
    TooLong,
    /// The encoder refused.
    #[error("the link cannot be encoded")]
    Encode(#[from] qrcode::types::QrError),
    /// The image could not be written.
    #[error("the image cannot be written")]
    Write(#[from] png::EncodingError),
}

/// A QR image of `link`, ready to be sent. 400 when the size or the format is not acceptable.
pub(crate) fn answer(link: &str, wanted: &Wanted) -> Result<Response, ApiError> {
    let size_px = match wanted.size.as_deref().map(str::parse) {
        None => DEFAULT_SIZE_PX,
        Some(Ok(size_px)) if SIZES_PX.contains(&size_px) => size_px,
        Some(_) => {
            return Err(ApiError::bad_value(&["size"]).because("size: 100 to 1000 pixels"));
        }
    };
    let (content_type, body) = match wanted.format.as_deref() {
        None | Some("png") => {
            ("image/png", Body::from(png(link, size_px).map_err(ApiError::internal)?))
        }
        Some("svg") => ("image/svg+xml", Body::from(svg(link).map_err(ApiError::internal)?)),
        Some(_) => return Err(ApiError::bad_value(&["format"]).because("format: png or svg")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    for (name, value) in [
        ("content-type", content_type),
        // The link in it lets its bearer pay.
        ("cache-control", "private, max-age=300"),
        // Browsers that are pointed at an image style the page that they make for it.
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", "*"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    Ok(response)
}

/// The modules of a code, row by row, without the quiet zone.
struct Modules {
    width: usize,
    dark: Vec<bool>,
}

impl Modules {
    fn of(link: &str) -> Result<Self, QrError> {
        if link.len() > MAX_LINK_BYTES {
            return Err(QrError::TooLong);
        }
        let code = QrCode::with_error_correction_level(link.as_bytes(), EcLevel::M)?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { width: code.width(), dark })
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.dark.get(y * self.width + x).copied().unwrap_or_default()
    }

    /// With the quiet zone on both sides.
    fn whole_width(&self) -> usize {
        self.width + 2 * QUIET_ZONE
    }
}

/// A square PNG, black on white, one bit for a pixel. What whole pixels leave over becomes quiet zone.
pub(crate) fn png(link: &str, size_px: usize) -> Result<Vec<u8>, QrError> {
    let modules = Modules::of(link)?;
    let scale = (size_px / modules.whole_width()).max(1);
    let size_px = size_px.max(modules.whole_width());
    let margin = (size_px - scale * modules.width) / 2;
    let row_bytes = size_px.div_ceil(8);
    // A set bit is white.
    let mut pixels = vec![0xff_u8; row_bytes * size_px];
    for y in 0..modules.width * scale {
        for x in 0..modules.width * scale {
            if modules.is_dark(x / scale, y / scale) {
                let column = margin + x;
                if let Some(byte) = pixels.get_mut((margin + y) * row_bytes + column / 8) {
                    *byte &= !(0x80 >> (column % 8));
                }
            }
        }
    }
    // At most 1,000.
    let side = u32::try_from(size_px).unwrap_or(u32::MAX);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}

/// The same as SVG, of no fixed size.
pub(crate) fn svg(link: &str) -> Result<String, QrError> {
    use std::fmt::Write as _;

    let modules = Modules::of(link)?;
    let side = modules.whole_width();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path fill=\"#000\" d=\""
    );
    for y in 0..modules.width {
        let mut x = 0;
        while x < modules.width {
            let run = (x..modules.width).take_while(|x| modules.is_dark(*x, y)).count();
            if run > 0 {
                // Writing into a string cannot fail.
                let _ = write!(text, "M{} {}h{run}v1h-{run}z", x + QUIET_ZONE, y + QUIET_ZONE);
            }
            x += run.max(1);
        }
    }
    text.push_str("\"/></svg>");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testing::qr;

    use super::*;

    const LINK: &str = "http://localhost:7072/in-store/aB3dE9x";

    fn pixels(file: &[u8]) -> (usize, Vec<bool>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        assert_eq!((info.width, info.bit_depth), (info.height, png::BitDepth::One));
        let side = usize::try_from(info.width).unwrap();
        let dark = (0..side * side)
            .map(|at| {
                buffer[at / side * info.line_size + at % side / 8] & (0x80 >> (at % side % 8)) == 0
            })
            .collect();
        (side, dark)
    }

    #[test]
    fn a_reader_gets_the_link_out_of_the_png() {
        for size in [100, 101, 250, DEFAULT_SIZE_PX, 999, 1000] {
            let (side, dark) = pixels(&png(LINK, size).unwrap());
            assert_eq!(side, size);
            assert_eq!(qr::read(side, &dark).as_deref(), Some(LINK), "{size}");
        }
    }

    #[test]
    fn a_reader_gets_the_link_out_of_the_svg() {
        let text = svg(LINK).unwrap();
        let side = text.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap();
        let side: usize = side.parse().unwrap();
        let mut dark = vec![false; side * side];
        let path = text.split("d=\"").nth(2).unwrap().split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (width, _) = rest.split_once('v').unwrap();
            let (x, y, width): (usize, usize, usize) =
                (x.parse().unwrap(), y.parse().unwrap(), width.parse().unwrap());
            dark[y * side + x..y * side + x + width].fill(true);
        }
        assert_eq!(qr::read(side, &dark).as_deref(), Some(LINK));
    }

    #[test]
    fn only_sizes_and_formats_that_there_are() {
        let ask = |size: Option<&str>, format: Option<&str>| {
            let wanted =
                Wanted { size: size.map(str::to_owned), format: format.map(str::to_owned) };
            answer(LINK, &wanted).map_or_else(|error| error.status, |answer| answer.status())
        };
        for (size, format, expected) in [
            (None, None, 200),
            (Some("100"), Some("png"), 200),
            (Some("1000"), None, 200),
            (None, Some("svg"), 200),
            (Some("99"), None, 400),
            (Some("1001"), None, 400),
            (Some("-1"), None, 400),
            (Some("4e2"), None, 400),
            (Some(""), None, 400),
            (None, Some("gif"), 400),
        ] {
            assert_eq!(ask(size, format), expected, "{size:?} {format:?}");
        }
    }

    #[test]
    fn a_link_that_is_too_long_is_refused() {
        assert!(matches!(png(&"x".repeat(MAX_LINK_BYTES + 1), 100), Err(QrError::TooLong)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_link_can_be_read(link in "https?://[a-z0-9.]{1,30}(:[0-9]{1,5})?/[A-Za-z0-9/_-]{1,60}") {
            let (side, dark) = pixels(&png(&link, DEFAULT_SIZE_PX).unwrap());
            prop_assert_eq!(qr::read(side, &dark), Some(link));
        }
    }
}
