import { type Call, describeInheritedOptions, outcome } from '@x-testing/inherited'
import { describe, expect, it } from 'vitest'
import { detectCaStore } from '../src/detect.ts'
import { loadCaStore, setDefaultCaStore } from '../src/index.ts'
import { folder, root, subjects } from './support.ts'

const ours = root('Ours').cert
const strange = root('Strange').cert

const calls: readonly Call[] = [
  ['certificates', 'loadCaStore', strange, { file: '/no/such/file' }, (options) => loadCaStore(options)],
  ['file', 'loadCaStore', '/no/such/file', { certificates: ours }, (options) => loadCaStore(options)],
  ['path', 'loadCaStore', '/no/such/path', { certificates: ours }, (options) => loadCaStore(options)],
  ['purpose', 'loadCaStore', 'clientAuth', { certificates: ours }, (options) => loadCaStore(options)],
  ['fs', 'loadCaStore', { openSync: () => 0 }, { certificates: ours }, (options) => loadCaStore(options)],
  ['certificates', 'setDefaultCaStore', strange, { file: '/no/such/file' }, (options) => setDefaultCaStore(options)],
]

describeInheritedOptions(calls)

describe('what is polluted beside the options', () => {
  it('is no variable of the environment', async () => {
    const file = `${folder({ 'strange.pem': strange })}/strange.pem`
    const detect = (env: Record<string, string>) => (): unknown => subjects(detectCaStore({ env }))
    expect(await outcome(detect({ SSL_CERT_FILE: file }))).toContain('CN=Strange')
    for (const name of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])
      expect(await outcome(detect({}), { [name]: file })).not.toContain('CN=Strange')
  })

  it('does not make a store the one that Node trusts by itself', async () => {
    const store = loadCaStore({ certificates: ours })
    const context = await outcome(() => store.secureContextOptions(), { isNodeDefault: () => true })
    expect(context).toEqual({ ca: [ours] })
  })
})
