import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/services/set-up.ts'],
    setupFiles: ['test/seed.ts'],
    pool: 'threads',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Most tests wait, for processes, leases and pauses: three keep two cores busy, more only take turns.
    maxWorkers: 3,
    reporters: process.env['CI'] ? ['default'] : ['default'],
  },
})
