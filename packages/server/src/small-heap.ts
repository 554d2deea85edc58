import { setFlagsFromString } from 'node:v8';

/*
 * On a machine with much memory V8 lets garbage grow to several times what is in use before it looks for it. A server that
 * streams has little in use, so it is told to let it grow by a tenth only (measured by `npm run bench collect-memory`).
 */
setFlagsFromString('--heap-growing-percent=10');
setFlagsFromString('--semi-space-growth-factor=1');
