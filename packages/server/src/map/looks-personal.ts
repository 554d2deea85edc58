export { looksPersonal } from '@habeas/contract/declarations';
