import { join } from 'node:path'
import { buildPackage } from './build-package.ts'

const root = join(import.meta.dirname, '..')
await buildPackage(root, join(root, 'dist'))
process.stderr.write('dist/ is built and starts; publish it with `npm publish ./dist`.\n')
