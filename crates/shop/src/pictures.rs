//! The products' pictures, drawn by this code as SVG.
//!
//! Each is a still life on a coloured ground: a few shapes, two tones and a shadow. They scale to
//! any size, weigh about a kilobyte, and belong to us. No styles and no scripts inside, so that
//! they show under the strictest policy.

use std::fmt::Write as _;

/// The picture of a product, or nothing for an unknown one.
pub fn draw(slug: &str) -> Option<String> {
    let scene = match slug {
        "mist-mug" => mug(),
        "harbour-throw" => throw(),
        "beeswax-candles" => candles(),
        "oak-board" => board(),
        "shore-birds" => book(),
        "smoke-tea" => tea(),
        "dusk-lamp" => lamp(),
        "market-bag" => bag(),
        _ => return None,
    };
    Some(scene.finish())
}

/// The shop's mark: a pine above its own reflection.
pub fn mark() -> String {
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\">\
     <rect width=\"64\" height=\"64\" rx=\"16\" fill=\"#1f4d3f\"/>\
     <path d=\"M32 10 20 27h6l-8 11h28l-8-11h6z\" fill=\"#f6f1e7\"/>\
     <path d=\"M30 38h4v6h-4z\" fill=\"#f6f1e7\"/>\
     <path d=\"M16 48h32M21 53h22\" stroke=\"#d9a27f\" stroke-width=\"2.5\" \
     stroke-linecap=\"round\"/></svg>"
        .to_owned()
}

/// A canvas of 800 by 800 with a wall, a table and a light.
struct Scene {
    svg: String,
}

impl Scene {
    fn new(wall: &str, table: &str) -> Self {
        let mut svg = String::with_capacity(2048);
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 800\" width=\"800\" \
             height=\"800\"><defs><radialGradient id=\"l\" cx=\".3\" cy=\".2\" r=\".9\">\
             <stop offset=\"0\" stop-color=\"#fff\" stop-opacity=\".55\"/>\
             <stop offset=\"1\" stop-color=\"#fff\" stop-opacity=\"0\"/></radialGradient>\
             <linearGradient id=\"s\" x1=\"0\" x2=\"1\"><stop offset=\"0\" stop-color=\"#000\" \
             stop-opacity=\"0\"/><stop offset=\"1\" stop-color=\"#000\" stop-opacity=\".2\"/>\
             </linearGradient><radialGradient id=\"g\">\
             <stop offset=\"0\" stop-color=\"#ffd98a\" stop-opacity=\".75\"/>\
             <stop offset=\"1\" stop-color=\"#ffd98a\" stop-opacity=\"0\"/></radialGradient>\
             <linearGradient id=\"c\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"1\"><stop offset=\"0\" \
             stop-color=\"#ffd98a\" stop-opacity=\".6\"/><stop offset=\"1\" \
             stop-color=\"#ffd98a\" stop-opacity=\".04\"/></linearGradient></defs><rect width=\"800\" height=\"800\" fill=\"{wall}\"/>\
             <rect y=\"560\" width=\"800\" height=\"240\" fill=\"{table}\"/>\
             <rect width=\"800\" height=\"800\" fill=\"url(#l)\"/>"
        );
        Self { svg }
    }

    fn shadow(mut self, x: i32, y: i32, width: i32) -> Self {
        let _ = write!(
            self.svg,
            "<ellipse cx=\"{x}\" cy=\"{y}\" rx=\"{width}\" ry=\"22\" fill=\"#000\" \
             opacity=\".14\"/>"
        );
        self
    }

    fn path(mut self, fill: &str, data: &str) -> Self {
        let _ = write!(self.svg, "<path fill=\"{fill}\" d=\"{data}\"/>");
        self
    }

    /// The darker side of a shape, away from the light.
    fn shade(self, data: &str) -> Self {
        self.path("url(#s)", data)
    }

    fn line(mut self, colour: &str, width: i32, data: &str) -> Self {
        let _ = write!(
            self.svg,
            "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"{data}\"/>"
        );
        self
    }

    fn ellipse(mut self, fill: &str, x: i32, y: i32, rx: i32, ry: i32) -> Self {
        let _ = write!(
            self.svg,
            "<ellipse fill=\"{fill}\" cx=\"{x}\" cy=\"{y}\" rx=\"{rx}\" ry=\"{ry}\"/>"
        );
        self
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

fn mug() -> Scene {
    let body = "M250 300h270v240c0 60-40 100-100 100h-70c-60 0-100-40-100-100z";
    Scene::new("#cfd8d3", "#b9c4bd")
        .shadow(420, 640, 230)
        .line("#8d9c97", 34, "M515 360c110-20 120 150-10 160")
        .path("#aab8b3", body)
        .path("#8d9c97", "M250 440c60 30 90-20 140 10s80 0 130-10v100c0 60-40 100-100 100h-70c-60 0-100-40-100-100z")
        .path("#d9c7ae", "M296 618c16 14 34 22 54 22h70c20 0 38-8 54-22z")
        .shade(body)
        .ellipse("#dfe6e2", 385, 300, 135, 28)
        .ellipse("#5b4636", 385, 304, 114, 20)
        .line("#f4f7f5", 10, "M350 250c-20-40 20-60 0-104M420 250c-20-40 20-60 0-104")
}

fn throw() -> Scene {
    let cloth = "M190 260c120-40 300-40 420 0l20 350c-150 34-310 34-460 0z";
    Scene::new("#d8cfc4", "#c2b5a5")
        .shadow(400, 634, 260)
        .path("#f3ece0", cloth)
        .path("#6d7f88", "M186 330c130-36 300-36 428 0l2 40c-140-34-292-34-432 0z")
        .path("#8fa0a6", "M182 400c136-32 300-32 436 0l2 26c-142-30-298-30-440 0z")
        .path("#4f6068", "M178 478c140-30 304-30 444 0l3 58c-148-28-302-28-450 0z")
        .shade(cloth)
        .line("#e2d6c4", 5, "M190 616v34M230 624v34M270 630v34M310 634v34M350 636v34M390 637v34M430 636v34M470 635v34M510 632v34M550 627v34M590 620v34")
        .path("#fbf6ec", "M190 260c120-40 300-40 420 0-30 34-60 40-100 30-70-18-140-18-210 0-44 10-80 4-110-30z")
}

fn candles() -> Scene {
    let left = "M300 300c20-10 50-10 70 0v330h-70z";
    let right = "M440 360c20-10 50-10 70 0v270h-70z";
    Scene::new("#3d4a45", "#2f3a36")
        .ellipse("url(#g)", 335, 215, 230, 230)
        .ellipse("url(#g)", 475, 285, 180, 180)
        .shadow(410, 648, 190)
        .path("#e3ac4f", left)
        .path("#d69d43", right)
        .shade(left)
        .shade(right)
        .line("#f1c878", 8, "M312 330v230M452 390v180")
        .ellipse("#b98a5e", 335, 634, 76, 20)
        .ellipse("#b98a5e", 475, 634, 76, 20)
        .line("#2b211a", 6, "M335 298v-34M475 358v-34")
        .path("#ffe7a8", "M335 160c34 44 38 78 0 106-38-28-34-62 0-106z")
        .path("#ffe7a8", "M475 236c28 38 32 66 0 90-32-24-28-52 0-90z")
        .path("#f59f4a", "M335 206c16 22 18 40 0 56-18-16-16-34 0-56zM475 276c14 18 16 34 0 46-16-12-14-28 0-46z")
}

fn board() -> Scene {
    let wood = "M250 190c0-30 20-50 50-50h30V84c0-26 18-44 44-44h40c26 0 44 18 44 44v56h42c30 0 50 20 50 50v420c0 30-20 50-50 50H300c-30 0-50-20-50-50z";
    Scene::new("#e4dccb", "#cdbfa6")
        .shadow(410, 660, 200)
        .path("#c9975f", wood)
        .line("#b4824c", 6, "M290 190c10 140-10 280 4 440M340 160c14 180-14 300 0 480M400 150c-16 160 20 320-4 490M460 160c12 170-18 300 4 480M508 200c-8 150 10 280-4 420")
        .shade(wood)
        .ellipse("#e4dccb", 394, 96, 24, 24)
        .path("#e8b872", "M300 470c0-60 60-96 150-90 70 6 100 40 90 84-8 40-60 60-130 58-70 0-110-14-110-52z")
        .path("#d39a52", "M300 470c0 40 40 54 110 54 70 2 122-18 130-58-30 26-70 34-130 32-56 0-96-6-110-28z")
        .line("#f6dcae", 9, "M350 420l24 40M410 404l20 48M468 404l14 44")
}

fn book() -> Scene {
    let cover = "M230 190h300c20 0 34 14 34 34v396H264c-20 0-34-14-34-34z";
    Scene::new("#b8cdd6", "#9db7c2")
        .shadow(410, 640, 210)
        .path("#f7f1e3", "M244 580h330v50H264c-20 0-30-20-20-50z")
        .path("#24485a", cover)
        .path("#1c3a49", "M230 190h40v430h-6c-20 0-34-14-34-34z")
        .shade(cover)
        .path("#f2e9d8", "M316 430c16-70 70-110 130-96 16-30 50-30 62-4l34 12-36 12c0 70-50 116-112 116h-22c-24 0-46-12-56-40z")
        .path("#d98d62", "M316 430c40 6 84-2 116-40-4 50-36 84-86 78-14-6-26-18-30-38z")
        .ellipse("#24485a", 482, 336, 6, 6)
        .line("#f2e9d8", 7, "M396 470v58M424 468v60M380 530h28M410 530h28")
        .line("#d9a27f", 8, "M320 250h190M320 280h120")
}

fn tea() -> Scene {
    let tin = "M270 250h260v360c0 16-14 30-30 30H300c-16 0-30-14-30-30z";
    Scene::new("#dcd3b8", "#c4b994")
        .shadow(410, 644, 190)
        .path("#2d5245", tin)
        .path("#f4ecd8", "M270 340h260v190H270z")
        .shade(tin)
        .path("#23423a", "M262 206c0-14 10-24 24-24h228c14 0 24 10 24 24v50H262z")
        .path("#31594c", "M262 206c0-14 10-24 24-24h228c14 0 24 10 24 24v14H262z")
        .path("#2d5245", "M400 358l-44 62h22l-30 42h104l-30-42h22z")
        .line("#2d5245", 8, "M400 462v30")
        .line("#d08b5b", 6, "M310 506h180")
        .path("#4a3a2a", "M560 616c20-30 60-40 90-24-10 34-50 50-90 24zM600 640c8-22 36-34 64-28-4 26-34 42-64 28z")
        .path("#2f6b4f", "M150 620c6-34 40-58 76-52-4 38-38 62-76 52z")
}

fn lamp() -> Scene {
    let shade = "M290 300c0-90 60-150 130-150s130 60 130 150z";
    Scene::new("#4a4340", "#3a3432")
        .path("url(#c)", "M290 300h260l130 340H160z")
        .path("url(#c)", "M320 300h200l80 340H240z")
        .shadow(420, 646, 150)
        .line("#d8c8b0", 14, "M420 300v320")
        .path("#c25b3c", shade)
        .shade(shade)
        .ellipse("#ffe2a3", 420, 302, 130, 22)
        .ellipse("#fff4d6", 420, 304, 70, 14)
        .line("#e58a68", 8, "M322 262c8-46 34-76 66-88")
        .path("#d8c8b0", "M340 640c0-30 34-44 80-44s80 14 80 44z")
        .ellipse("#c25b3c", 420, 146, 14, 14)
}

fn bag() -> Scene {
    let body = "M220 320h360l28 290c2 18-10 30-28 30H220c-18 0-30-12-28-30z";
    Scene::new("#e6cdbb", "#d3b49d")
        .shadow(400, 644, 240)
        .line("#6b3f2a", 22, "M310 400V250c0-110 180-110 180 0v150")
        .path("#77805c", body)
        .path("#6a7351", "M220 320h360l8 80H212z")
        .shade(body)
        .line("#8e976f", 5, "M212 404h376M230 330l-20 296M570 330l20 296")
        .path("#6b3f2a", "M292 380h36v70h-36zM472 380h36v70h-36z")
        .line("#c79a6b", 4, "M300 392h20M300 438h20M480 392h20M480 438h20")
        .path("#3f7d4f", "M520 320c-10-70 20-120 70-140-6 60-20 100-50 140zM480 320c-20-50-10-100 20-130 20 46 20 90 4 130z")
        .path("#e3b65c", "M250 320c-14-60 60-90 90-30 10 14 8 24 4 30z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_picture_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for product in crate::catalogue::PRODUCTS {
            let svg = draw(product.slug).unwrap();
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
            assert!(!svg.contains("style") && !svg.contains("script"));
            assert!(seen.insert(svg));
        }
        assert!(draw("nothing").is_none());
    }
}
