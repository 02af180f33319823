import { embedWeir } from '../../app.ts'
import { createLibrary, twoShelves } from './library.fixture.ts'
import { createProbe } from './probe.fixture.ts'

/** Serves two library connections over this process's own standard streams, and ends when the client leaves. */
const weir = embedWeir({
  config: { ...twoShelves, log: { level: 'silent' } },
  connectors: [createLibrary().connector, createProbe().connector],
})
await weir.serveStdio(process.stdin, process.stdout)
await weir.close(1_000)
