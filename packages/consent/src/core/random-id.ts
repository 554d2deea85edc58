/** 20 to 40 letters and digits, of more than 128 random bits. (`crypto.randomUUID` is missing on pages without TLS.) */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => byte.toString(36)).join('');
}
