//! From the grid of the Deutscher Wetterdienst to degrees.

/// Degrees north and east of a place in ETRS89-LCC Europe (EPSG:3034): metres right and up.
///
/// Inverse of the Lambert conformal conic projection with two standard parallels on the ellipsoid (J. P. Snyder, Map Projections:
/// A Working Manual, USGS Professional Paper 1395, 1987, pages 107 to 109), on GRS80.
pub(super) fn degrees(right: f64, up: f64) -> (f64, f64) {
    const SEMI_MAJOR: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_222_101;
    let radians = std::f64::consts::PI / 180.0;
    let (origin, meridian) = (52.0 * radians, 10.0 * radians);
    let parallels = [35.0 * radians, 65.0 * radians];
    let eccentricity = libm::sqrt(FLATTENING * (2.0 - FLATTENING));
    let warp = |latitude: f64| {
        let sine = eccentricity * libm::sin(latitude);
        libm::pow((1.0 - sine) / (1.0 + sine), eccentricity / 2.0)
    };
    let t = |latitude: f64| libm::tan(std::f64::consts::FRAC_PI_4 - latitude / 2.0) / warp(latitude);
    let m = |latitude: f64| {
        let sine = eccentricity * libm::sin(latitude);
        libm::cos(latitude) / libm::sqrt(1.0 - sine * sine)
    };
    let [low, high] = parallels;
    let n = (libm::log(m(low)) - libm::log(m(high))) / (libm::log(t(low)) - libm::log(t(high)));
    let scale = SEMI_MAJOR * m(low) / (n * libm::pow(t(low), n));
    let far = scale * libm::pow(t(origin), n);
    let (x, y) = (right - 4_000_000.0, far - (up - 2_800_000.0));
    let reach = libm::pow(libm::sqrt(x * x + y * y) / scale, 1.0 / n);
    let mut latitude = std::f64::consts::FRAC_PI_2 - 2.0 * libm::atan(reach);
    // Each round gains about two digits.
    for _ in 0..8 {
        latitude = std::f64::consts::FRAC_PI_2 - 2.0 * libm::atan(reach * warp(latitude));
    }
    (latitude / radians, (libm::atan2(x, y) / n + meridian) / radians)
}

#[cfg(test)]
mod tests {
    use super::degrees;

    fn check(right: f64, up: f64, expected: (f64, f64)) {
        let (north, east) = degrees(right, up);
        assert!((north - expected.0).abs() < 1e-6 && (east - expected.1).abs() < 1e-6, "{north} {east}");
    }

    #[test]
    fn the_origin_and_its_meridian() {
        check(4_000_000.0, 2_800_000.0, (52.0, 10.0));
        let (north, east) = degrees(4_000_000.0, 2_900_000.0);
        // The scale at 52° north between the parallels of 35° and 65° is 0.965.
        assert!(
            (north - 52.0 - 100.0 / 111.27 / 0.965).abs() < 0.005 && (east - 10.0).abs() < 1e-9,
            "{north} {east}"
        );
        assert!(degrees(3_900_000.0, 2_800_000.0).1 < 9.0);
    }
}
