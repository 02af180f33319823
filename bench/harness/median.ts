/** The middle of `values`, or the mean of the two middle ones. Throws on an empty list. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which `fraction` of `values` lie, interpolated between neighbours. Throws on an empty list. */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) throw new Error('There is no quantile of no values.')
  const sorted = [...values].sort((a, b) => a - b)
  const position = (sorted.length - 1) * fraction
  const low = sorted[Math.floor(position)]!
  const high = sorted[Math.ceil(position)]!
  return low + (high - low) * (position - Math.floor(position))
}
