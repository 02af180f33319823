import { silentLogger } from '../core/logger.ts'
import { describeStore } from '../testing/describe-store.ts'
import { openStore } from './open-store.ts'
import { makeFolder } from './store.fixture.ts'

describeStore('sqlite file', {
  isKept: true,
  async create() {
    const baseDir = makeFolder()
    return { open: () => openStore({ url: 'sqlite:a/b/weir.db', baseDir, log: silentLogger }) }
  },
})

describeStore('sqlite in memory', {
  isKept: false,
  async create() {
    return { open: () => openStore({ url: 'sqlite::memory:', baseDir: '/nowhere', log: silentLogger }) }
  },
})
