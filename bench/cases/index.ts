import type { Case } from '../harness/case.ts'
import { p1 } from './p1-echo.ts'
import { p2 } from './p2-sdk-server.ts'
import { p3 } from './p3-proxy.ts'
import { p4 } from './p4-sdk-proxy.ts'
import { p5 } from './p5-latency.ts'
import { p6 } from './p6-sql.ts'
import { p7 } from './p7-policies.ts'
import { p8 } from './p8-start.ts'
import { p9 } from './p9-memory.ts'
import { p10 } from './p10-catalog.ts'
import { p11 } from './p11-pooled.ts'
import { p12 } from './p12-http2.ts'
import { p13 } from './p13-parallel.ts'
import { p14 } from './p14-paging.ts'

/** Every case, in the order they run and are printed. */
export const cases: readonly Case[] = [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14]
