import { CrlStore, createCrl, isRevoked, parseCrl } from '@x/crl'
import { createAuthority, type Authority, parseCertificate } from '@x/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')

/** Sections for `-crlexts`: what lists can be limited to, and a delta to the list of number 1. */
const CONFIG = `
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[full]
authorityKeyIdentifier = keyid
[partition]
issuingDistributionPoint = critical, @partition_point
[partition_point]
fullname = URI:http://crl.example/1
onlyuser = TRUE
[reasons]
issuingDistributionPoint = critical, @reasons_point
[reasons_point]
onlysomereasons = keyCompromise, CACompromise
[indirect]
issuingDistributionPoint = critical, @indirect_point
[indirect_point]
fullname = URI:http://crl.example/1
indirectCRL = TRUE
[delta]
2.5.29.27 = critical, DER:020101
[leaf]
basicConstraints = critical, CA:FALSE
crlDistributionPoints = URI:http://crl.example/1
[sub]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
`

describe.skipIf(openssl === undefined)('lists of openssl ca -gencrl', () => {
  const program = openssl as string
  const folder = new TemporaryFolder()
  afterAll(() => folder.dispose())

  async function tool(...args: string[]): Promise<string> {
    const { code, stderr, stdout } = await run(program, args, { cwd: folder.path })
    if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const pem = (name: string): string => readFileSync(folder.file(name), 'utf8')
  const issue = async (name: string, section: string): Promise<void> => {
    await tool(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    await tool(
      'ca',
      '-config',
      'ca.cnf',
      '-batch',
      '-notext',
      '-extensions',
      section,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
    )
  }
  const generate = async (name: string, ...args: string[]): Promise<string> => {
    await tool('ca', '-config', 'ca.cnf', '-gencrl', '-out', name, ...args)
    return pem(name)
  }
  const revoke = (name: string, reason: string): Promise<string> =>
    tool('ca', '-config', 'ca.cnf', '-revoke', `${name}.pem`, '-crl_reason', reason)
  const ask = (name: string, crls: string | readonly string[], options: object = {}): string => {
    const status = isRevoked(pem(`${name}.pem`), pem('ca.pem'), { crls, ...options })
    return status.status === 'good' ? 'good' : status.status === 'revoked' ? status.reason : status.code
  }

  let ca: Authority
  beforeAll(async () => {
    ca = createAuthority({
      subject: { commonName: 'Live CA' },
      notBefore: Date.now() - 86_400_000,
      purpose: 'CA,cRLSign',
    })
    for (const [name, text] of Object.entries({
      'ca.cnf': CONFIG,
      'ca.pem': ca.cert,
      'ca.key': ca.key,
      'index.txt': '',
      serial: '1000\n',
      crlnumber: '01\n',
    }))
      folder.write(name, text)
    for (const name of ['good', 'bad', 'held']) await issue(name, 'leaf')
    await issue('sub', 'sub')
  })

  it('full: a revoked leaf, a revoked intermediate, and the others; before and after', async () => {
    const before = await generate('1.crl', '-crlexts', 'full')
    for (const name of ['good', 'bad', 'held', 'sub']) expect(ask(name, before)).toBe('good')
    await revoke('bad', 'keyCompromise')
    await revoke('sub', 'CACompromise')
    await revoke('held', 'certificateHold')
    const after = await generate('2.crl', '-crlexts', 'full')
    expect(['good', 'bad', 'held', 'sub'].map((name) => ask(name, after))).toEqual([
      'good',
      'keyCompromise',
      'certificateHold',
      'caCompromise',
    ])
    const serials = (await tool('crl', '-in', '2.crl', '-noout', '-text')).match(/Serial Number: ([0-9A-F]+)/g) ?? []
    const ours = [...parseCrl(after).entries()].map(({ serialNumber }) =>
      Buffer.from(serialNumber).toString('hex').toUpperCase(),
    )
    expect(ours).toEqual(serials.map((line) => line.replace('Serial Number: ', '')))
  })

  it('partitioned, limited to reasons, indirect', async () => {
    const partition = await generate('partition.crl', '-crlexts', 'partition')
    expect(parseCrl(partition).issuingDistributionPoint).toMatchObject({ onlyContainsUserCerts: true })
    expect(['good', 'bad', 'sub'].map((name) => ask(name, partition))).toEqual([
      'good',
      'keyCompromise',
      'ERR_CRL_OUT_OF_SCOPE',
    ])
    const reasons = await generate('reasons.crl', '-crlexts', 'reasons')
    expect(['good', 'bad'].map((name) => ask(name, reasons))).toEqual(['ERR_CRL_REASONS_INCOMPLETE', 'keyCompromise'])
    const indirect = await generate('indirect.crl', '-crlexts', 'indirect')
    expect(['good', 'bad'].map((name) => ask(name, indirect))).toEqual(['good', 'keyCompromise'])
  })

  it('a delta to an older list', async () => {
    const delta = await generate('delta.crl', '-crlexts', 'delta')
    expect(parseCrl(delta).baseCrlNumber).toBe(1n)
    expect(ask('bad', [pem('1.crl')])).toBe('good')
    expect(ask('bad', [pem('1.crl'), delta])).toBe('keyCompromise')
    expect(ask('good', [pem('1.crl'), delta])).toBe('good')
    expect(ask('good', [delta])).toBe('ERR_CRL_DELTA_MISMATCH')
  })

  it('expired; of another CA of the same name', async () => {
    const old = await generate(
      'old.crl',
      '-crlexts',
      'full',
      '-crl_lastupdate',
      '20200101000000Z',
      '-crl_nextupdate',
      '20200102000000Z',
    )
    expect(ask('good', old)).toBe('ERR_CRL_EXPIRED')
    const impostor = createAuthority({ subject: { commonName: 'Live CA' }, purpose: 'CA,cRLSign' })
    folder.write('other.pem', impostor.cert)
    folder.write('other.key', impostor.key)
    const foreign = await generate('foreign.crl', '-cert', 'other.pem', '-keyfile', 'other.key')
    expect(ask('good', foreign)).toBe('ERR_CRL_SIGNATURE_INVALID')
    expect(ask('good', [foreign, pem('2.crl')])).toBe('good')
  })

  it('hashed directories as openssl rehash makes them', async () => {
    const path = folder.file('hashed')
    mkdirSync(path)
    writeFileSync(`${path}/full.pem`, pem('2.crl'))
    writeFileSync(`${path}/ca.pem`, pem('ca.pem'))
    await tool('rehash', path)
    const store = new CrlStore({ path, online: false })
    expect((await store.isRevoked(pem('good.pem'), pem('ca.pem'))).status).toBe('good')
    expect((await store.isRevoked(pem('bad.pem'), pem('ca.pem'))).status).toBe('revoked')
  })

  it('and OpenSSL reads and believes what createCrl made', async () => {
    const bad = parseCertificate(pem('bad.pem'))
    const crl = createCrl({
      issuer: { certificate: ca.raw, privateKey: ca.privateKey },
      number: 9,
      revoked: [{ certificate: bad, reason: 'superseded', invalidityDate: Date.now() }],
      scope: { uris: ['http://crl.example/1'], only: 'users' },
    })
    folder.write('ours.pem', crl.toPem())
    const text = await tool('crl', '-in', 'ours.pem', '-noout', '-text')
    expect(text).toMatch(/Superseded/)
    expect(text).toMatch(/Only User Certificates/)
    const verify = (name: string) =>
      run(
        program,
        [
          'verify',
          '-x509_strict',
          '-crl_check',
          '-extended_crl',
          '-CAfile',
          'ca.pem',
          '-CRLfile',
          'ours.pem',
          `${name}.pem`,
        ],
        { cwd: folder.path },
      )
    expect((await verify('good')).stdout).toMatch(/good.pem: OK/)
    expect((await verify('bad')).stderr).toMatch(/error 23 at 0 depth/)
  })
})
