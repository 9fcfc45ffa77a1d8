import Glibc

/// The length of a vector in the plane.
func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }

/// Euler angles (rad) of a rotation matrix of nine numbers, row by row.
///
///     c = √(R₂₂² + R₁₂²);  z = −atan2(R₀₁, R₀₀),  y = −atan2(−R₀₂, c),  x = −atan2(R₁₂, R₂₂)
///
/// and, where c is zero but for rounding, z = −atan2(−R₁₀, R₁₁) and x = 0. Source:
/// gymnasium-robotics 1.4.2, `utils/rotations.py`.
func eulerAngles(_ r: UnsafeBufferPointer<Double>) -> SIMD3<Double> {
  let c = (r[8] * r[8] + r[5] * r[5]).squareRoot()
  let y = -atan2(-r[2], c)
  guard c > 4 * Double.ulpOfOne else { return SIMD3(0, y, -atan2(-r[3], r[4])) }
  return SIMD3(-atan2(r[5], r[8]), y, -atan2(r[1], r[0]))
}
