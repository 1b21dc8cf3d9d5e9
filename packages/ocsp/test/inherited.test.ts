import { type Call, describeInheritedFields, describeInheritedOptions } from '@x-testing/inherited'
import {
  checkStaple,
  createOcspRequest,
  createOcspResponse,
  createStapler,
  namesCertificate,
  OcspCache,
  ocspCacheKey,
  OcspResolver,
  parseOcspRequest,
  verifyOcspResponse,
} from '../src/index.ts'
import { ca, chain, DAY, leaf, NOW, otherLeaf, respond, root } from './pki.ts'

const pair = { certificate: leaf, issuer: ca }
const question = { ...pair, now: NOW }
const response = respond()
const lasting = respond({ nextUpdate: Date.now() + DAY })
const single = { ...pair, status: 'good' }
const [certId] = parseOcspRequest(createOcspRequest(pair)).certIds as [never]

function responseOf(options: object): unknown {
  return createOcspResponse({ signer: ca, responses: [], ...options })
}

const calls: readonly Call[] = [
  ['now', 'verifyOcspResponse', NOW, pair, (options) => verifyOcspResponse(lasting, options)],
  ['weakDigests', 'verifyOcspResponse', 'tell', question, (options) => verifyOcspResponse(response, options)],
  ['missingNonce', 'verifyOcspResponse', 'accept', question, (options) => verifyOcspResponse(response, options)],
  ['clockSkewMs', 'verifyOcspResponse', 365 * DAY, question, (options) => verifyOcspResponse(response, options)],
  ['maxAgeMs', 'verifyOcspResponse', 365 * DAY, question, (options) => verifyOcspResponse(response, options)],
  ['resumed', 'checkStaple', true, question, async (options) => checkStaple(response, options)],
  ['staple', 'checkStaple', 'try', question, async (options) => checkStaple(response, options)],
  ['weakDigests', 'checkStaple', 'tell', question, async (options) => checkStaple(response, options)],
  ['failure', 'new OcspResolver', 'soft', { chain }, (options) => new OcspResolver(options)],
  ['depth', 'new OcspResolver', 'leaf', { chain }, (options) => new OcspResolver(options)],
  ['nonce', 'new OcspResolver', 'off', { chain }, (options) => new OcspResolver(options)],
  ['anchor', 'new OcspResolver', 'last', { chain }, (options) => new OcspResolver(options)],
  ['fetch', 'OcspResolver.resolve', () => undefined, { timeout: 1 }, async (options) => noResponder().resolve(options)],
  ['timeout', 'OcspResolver.resolve', 0, {}, async (options) => noResponder().resolve(options)],
  ['now', 'new OcspCache', () => 0, {}, (options) => new OcspCache(options)],
  ['url', 'createStapler', 'http://attacker.example', {}, (options) => createStapler(options)],
  ['weakDigests', 'createStapler', 'tell', {}, (options) => createStapler(options)],
  ['nonce', 'createOcspRequest', new Uint8Array(32), {}, (options) => createOcspRequest(pair, options)],
  ['digest', 'createOcspResponse', 'sha1', { signer: ca, responses: [] }, (options) => createOcspResponse(options)],
]

const nested: readonly Call[] = [
  ['issuer', 'createOcspRequest: pair', root, { certificate: leaf }, (one) => createOcspRequest(one)],
  ['issuer', 'namesCertificate: pair', root, { certificate: leaf }, (one) => namesCertificate(certId, one)],
  ['issuer', 'ocspCacheKey: pair', root, { certificate: leaf }, (one) => ocspCacheKey(one)],
  ['nextUpdate', 'createOcspResponse: responses', null, single, (one) => responseOf({ responses: [one] })],
  ['privateKey', 'createOcspResponse: signer', otherLeaf.key, { certificate: ca }, (signer) => responseOf({ signer })],
]

/** One that has nobody to ask. */
function noResponder(): OcspResolver {
  return new OcspResolver({ chain: [root.raw, root.raw] })
}

describeInheritedOptions(calls)
describeInheritedFields(nested)
