export type { ContractStore, ContractSubject } from './contract-subject.ts';
export { type ContractOptions, contractCases, runContract, runContractCase } from './run-contract.ts';
