/** Everything off that can be: what the ratios to bare servers are measured with. */
export const policiesOff = {
  audit: { enabled: false },
  policies: { '*': { retry: false, breaker: false, bulkhead: false } },
} as const

/**
 * Everything on that a call can pass, with limits that it never meets: what policies cost is the question. The cache is
 * left out, because every request of the load is the same one and would be answered from it.
 */
export function policiesOn(collector: string) {
  return {
    audit: { enabled: true },
    telemetry: { traces: { url: collector, sample: 0.01 } },
    policies: {
      '*': {
        timeout: '30s',
        rateLimit: ['1000000000/second', { limit: '1000000000/second', per: 'connection' }],
        retry: { attempts: 3 },
        breaker: { failures: 5 },
        bulkhead: { running: 64, waiting: 256 },
        fallback: { value: 'nothing better' },
      },
    },
  } as const
}
