import { expect, it } from 'vitest'
import { decryptRc2Cbc } from '../src/rc2.ts'

// RFC 2268 section 5; with an initialisation vector of zeros, one block of CBC is one block of the cipher
it.each([
  ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
  ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
  ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
  ['88', 64, '0000000000000000', '61a8a244adacccf0'],
  ['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
  ['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
  ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ['88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e', 129, '0000000000000000', '5b78d3a43dfff1f1'],
])('RC2 with the key %s at %i bits', (key, bits, plain, cipher) => {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex')
  expect(Buffer.from(decryptRc2Cbc(hex(key), Buffer.alloc(8), hex(cipher), bits)).toString('hex')).toBe(plain)
})
