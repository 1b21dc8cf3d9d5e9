type MisuseCode = 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE'

/** The TypeError of a caller's mistake, with Node's code; the message names the option. */
export function misuse(code: MisuseCode, message: string): TypeError {
  return Object.assign(new TypeError(message), { code })
}
