import { loadCaStore } from '@x/ca-store'
import { element, oid, sequence } from '@x/der'
import { createAuthority } from '@x/utils'
import { expect, it } from 'vitest'
import { connect } from '../src/index.ts'
import { caStoreAnchors, validatePath } from '../src/verify/path/index.ts'
import { rejection, tlsServer } from './support.ts'

const root = createAuthority('Root')
const intermediate = root.issue({ ca: true, subject: { commonName: 'Intermediate' } })
const leaf = intermediate.issue('www.example.org')

/** As `openssl x509 -addreject serverAuth` writes it. */
function rejected(der: Uint8Array): string {
  const settings = sequence(element(0xa0, oid('1.3.6.1.5.5.7.3.1')))
  const base64 = Buffer.concat([der, settings]).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN TRUSTED CERTIFICATE-----\n${base64}\n-----END TRUSTED CERTIFICATE-----\n`
}

it.each([
  ['nothing', [root.ca], []],
  ['the intermediate', [root.ca, rejected(intermediate.raw)], ['CERT_REJECTED']],
  ['the leaf', [root.ca, rejected(leaf.raw)], ['CERT_REJECTED']],
])('a store that distrusts %s: what the peer sends of it does not help', (_, certificates, codes) => {
  const { failures } = validatePath({
    chain: [leaf.raw, intermediate.raw],
    anchors: caStoreAnchors(loadCaStore({ certificates })),
    purpose: 'server',
    now: Date.now(),
    partialChain: false,
  })
  expect(failures.map(({ code }) => code)).toEqual(codes)
})

it.each([
  ['the intermediate', intermediate.raw],
  ['the leaf', leaf.raw],
])('a connection is refused where OpenSSL accepts, if the store distrusts %s', async (_, der) => {
  await using server = await tlsServer({ cert: leaf.cert, key: leaf.key })
  const options = { host: '127.0.0.1', port: server.port, servername: 'www.example.org' }
  const accepted = await connect({ ...options, ca: root.ca })
  accepted.destroy()
  const error = await rejection(connect({ ...options, ca: [root.ca, rejected(der)] }))
  expect(error).toMatchObject({ code: 'CERT_REJECTED', check: 'chain' })
})

it('a store that distrusts somebody stands alone: beside other CAs that would be forgotten', async () => {
  await using server = await tlsServer({ cert: leaf.cert, key: leaf.key })
  const caStore = loadCaStore({ certificates: [root.ca, rejected(intermediate.raw)] })
  const options = { host: '127.0.0.1', port: server.port, servername: 'www.example.org', caStore }
  expect(await rejection(connect(options))).toMatchObject({ code: 'CERT_REJECTED' })
  const other = createAuthority('Other')
  expect(await rejection(connect({ ...options, ca: other.ca }))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
})
