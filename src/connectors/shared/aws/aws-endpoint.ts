/** The ends of host names by the beginning of the region; every other region is `amazonaws.com`. */
const domains: readonly (readonly [region: string, domain: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-iso-', 'c2s.ic.gov'],
  ['eusc-', 'amazonaws.eu'],
]

/** Where AWS has a service, for asking whether it answers: calls leave that to the SDK, which need not be loaded for this. */
export function renderAwsEndpoint(service: string, region: string): string {
  const [, domain = 'amazonaws.com'] = domains.find(([start]) => region.startsWith(start)) ?? []
  return `https://${service}.${region}.${domain}/`
}
