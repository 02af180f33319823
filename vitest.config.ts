import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/services/set-up.ts'],
    setupFiles: ['test/seed.ts'],
    pool: 'threads',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Two cores in the machines that run this, and a third of the time is spent on waiting for other processes.
    maxWorkers: 3,
    reporters: process.env['CI'] ? ['default'] : ['default'],
  },
})
