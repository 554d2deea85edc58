import { setFlagsFromString } from 'node:v8';

/*
 * On a machine with much memory V8 lets garbage grow to several times what is in use before it looks for it. A server that
 * streams has little in use, so it is told to let it grow by three tenths only. Less would save memory (`npm run bench
 * collect-memory`), and would make large answers wait while it is looked for (`map-answers`).
 */
setFlagsFromString('--heap-growing-percent=30');
setFlagsFromString('--semi-space-growth-factor=1');
