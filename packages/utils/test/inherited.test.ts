import { join } from 'node:path'
import { type Call, describeInheritedFields, describeInheritedOptions } from '@x-testing/inherited'
import {
  createAuthority,
  createCertificate,
  describeCertificate,
  fingerprint,
  generateKey,
  generateKeySync,
  parseIdentity,
  parsePkcs12,
  parsePrivateKey,
  privateKeyToPem,
  readIdentity,
  readPrivateKey,
  signDer,
  verifySignature,
  writeCertificates,
  writePrivateKey,
} from '../src/index.ts'
import { fixture } from './support.ts'

const ca = createAuthority()
const stranger = createAuthority('Stranger')
const data = Buffer.from('data')
const claim = { ...signDer(data, ca.privateKey), data, publicKey: ca.certificate.publicKey }
const keyFile = join(import.meta.dirname, 'fixtures', 'leaf.key')
/** A file system that keeps nothing. */
const file = { writeFile: async () => undefined, sync: async () => undefined, close: async () => undefined }
const fs = { open: async () => file, rename: async () => undefined, unlink: async () => undefined }

const calls: readonly Call[] = [
  ['weakDigests', 'verifySignature', 'tell', claim, (options) => verifySignature(options)],
  ['ca', 'createCertificate', true, {}, (options) => createCertificate(options)],
  ['privateKey', 'createCertificate', stranger.key, {}, (options) => createCertificate(options)],
  ['notAfter', 'createCertificate', Date.UTC(2999, 0), {}, (options) => createCertificate(options)],
  ['digest', 'createCertificate', 'sha1', {}, (options) => createCertificate(options)],
  ['privateKey', 'createAuthority', stranger.key, {}, (options) => createAuthority(options)],
  ['pathLength', 'createAuthority', 0, {}, (options) => createAuthority(options)],
  ['ca', 'Authority.issue', true, { names: 'a' }, (options) => ca.issue(options)],
  ['pathLength', 'Authority.issue', 0, { ca: true }, (options) => ca.issue(options)],
  ['algorithm', 'fingerprint', 'sha1', {}, (options) => fingerprint(ca, options)],
  ['of', 'fingerprint', 'spki', {}, (options) => fingerprint(ca, options)],
  ['algorithm', 'describeCertificate', 'sha1', {}, (options) => describeCertificate(ca, options)],
  ['bits', 'generateKey', 1024, { type: 'rsa' }, async (kind) => generateKey(kind)],
  ['curve', 'generateKeySync', 'secp224r1', { type: 'ec' }, (kind) => generateKeySync(kind)],
  ['passphrase', 'parsePrivateKey', 'x', {}, (options) => parsePrivateKey(ca.key, options)],
  ['passphrase', 'privateKeyToPem', 'x', {}, (options) => privateKeyToPem(ca.key, options)],
  ['passphrase', 'parsePkcs12', 'x', {}, async (options) => parsePkcs12(fixture('no-key.p12'), options)],
  ['privateKey', 'parseIdentity', stranger.key, {}, async (options) => parseIdentity(ca.cert + ca.key, options)],
  ['passphrase', 'readPrivateKey', 'x', {}, async (options) => readPrivateKey(keyFile, options)],
  ['keyFile', 'readIdentity', keyFile, {}, async (options) => readIdentity(keyFile, options)],
  ['passphrase', 'writePrivateKey', 'x', { fs }, async (options) => writePrivateKey('key.pem', ca.key, options)],
  ['passphrase', 'writeCertificates', 'x', { fs }, async (options) => writeCertificates('ca.pem', ca, options)],
]

const nested: readonly Call[] = [
  [
    'privateKey',
    'createCertificate: issuer',
    stranger.key,
    { certificate: ca.raw },
    (one) => createCertificate({ issuer: one }),
  ],
  ['server', 'createCertificate: purpose', false, { client: true }, (purpose) => createCertificate({ purpose })],
  [
    'critical',
    'createCertificate: extensions',
    true,
    { name: 'nsComment', value: 'text' },
    (one) => createCertificate({ extensions: [one] }),
  ],
  [
    'excluded',
    'createCertificate: the value of an extension',
    [['DNS', 'example.org']],
    { permitted: [['DNS', 'example.com']] },
    (value) => createCertificate({ extensions: [{ name: 'nameConstraints', value }] }),
  ],
]

describeInheritedOptions(calls)
describeInheritedFields(nested)
