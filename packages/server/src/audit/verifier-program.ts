/** The program that verifies receipts and checkpoints: one file that needs Node and nothing else. */
export const verifierProgram: URL = new URL('./habeas-verify.mjs', import.meta.url);
