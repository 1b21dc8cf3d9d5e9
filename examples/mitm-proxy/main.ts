// not run by itself: started by start.mjs, and serves until it is stopped. testing/interop/test/intercept-proxy.test.ts runs it.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Interceptor } from '@x/intercept'
import { loadAuthority } from './authority.ts'
import { createMitmProxy } from './proxy.ts'

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    folder: { type: 'string', default: join(homedir(), '.mitm-proxy') },
    tunnel: { type: 'string', multiple: true, default: [] },
    ca: { type: 'string' },
  },
})

const { certificate, privateKey, file, isNew } = await loadAuthority(values.folder)
const interceptor = new Interceptor({ certificate, privateKey, maxValidityDays: 398 })
await interceptor.prepare()
const proxy = createMitmProxy({
  interceptor,
  tunnel: values.tunnel,
  ...(values.ca === undefined ? {} : { trust: { caFile: values.ca } }),
  log: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
})
proxy.listen(Number(values.port), values.host)
await once(proxy, 'listening')

const { address, port } = proxy.address() as AddressInfo
console.log(`${isNew ? 'Made a new CA' : 'The CA is'}: ${file}
A client must be told to use the proxy and to trust that CA, and nothing else should ever trust it:
  curl --proxy http://${address}:${port} --cacert ${file} https://example.org/
  HTTPS_PROXY=http://${address}:${port} NODE_EXTRA_CA_CERTS=${file} NODE_USE_ENV_PROXY=1 node program.mjs
  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n mitm-proxy -i ${file}    (Chromium; remove it with -D -n mitm-proxy)
Listening on ${address}:${port}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))
