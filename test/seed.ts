import fc from 'fast-check'

// Property tests try the same cases in every run, so that a red run can be run again; another seed tries others.
fc.configureGlobal({ seed: Number(process.env['WEIR_TEST_SEED'] ?? 20_261_121) })
