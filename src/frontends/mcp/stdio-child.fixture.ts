import { embedWeir } from '../../app.ts'
import { createProbe } from './probe.fixture.ts'

/** Serves the probe connector over this process's own standard streams, and ends when the client leaves. */
const weir = embedWeir({
  config: { connections: { probe: { type: 'probe' } }, log: { level: 'silent' } },
  connectors: [createProbe().connector],
})
await weir.serveStdio(process.stdin, process.stdout)
await weir.close(1_000)
