import { z } from 'zod'

/** What Weir tells of its own work, and to whom. */
export const telemetrySchema = z.strictObject({
  traces: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .describe(
          'Where spans are sent, by OTLP over HTTP in JSON: `http://127.0.0.1:4318/v1/traces` for a collector on this machine.',
        ),
      headers: z
        .record(z.string().min(1), z.string())
        .default({})
        .describe('Headers of each request, such as the collector’s API key.'),
      sample: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          'Which part of the calls is recorded, from 0 to 1, where the caller does not say. A caller’s own `traceparent` decides for its call.',
        ),
    })
    .optional()
    .describe('Records calls as OpenTelemetry spans. Default: nothing is recorded.'),
})
