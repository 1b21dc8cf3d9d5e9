// Which CAs this machine trusts, handed on to a tool that looks for them elsewhere (curl, git, OpenSSL, Python …).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultCaStore, loadCaStore } from '@x/ca-store'
import { createAuthority } from '@x/utils'

const store = defaultCaStore()
console.log(`${store.certificates.length} CAs from ${store.file ?? store.path ?? 'Node itself'}`)
for (const error of store.errors)
  if (error.code !== 'ERR_CA_DUPLICATE') console.warn('skipped:', error.code, error.message)

// What this machine trusts, and a CA of our own: one file for programs that take SSL_CERT_FILE, --cacert or http.sslCAInfo.
const own = createAuthority('CA of this company')
const everything = loadCaStore({ certificates: [...store.certificates, own.certificate] })
const folder = mkdtempSync(join(tmpdir(), 'ca-'))
try {
  const bundle = join(folder, 'bundle.pem')
  writeFileSync(bundle, everything.toPem(), { mode: 0o644 })
  console.log(`SSL_CERT_FILE=${bundle} git clone https://…`)

  const again = loadCaStore({ file: bundle })
  const server = own.issue('intranet.example').certificate
  console.log('issuer of the server:', again.findIssuer(server)?.subject)
  console.log('from:', again.origin(own.certificate))
} finally {
  rmSync(folder, { recursive: true })
}
