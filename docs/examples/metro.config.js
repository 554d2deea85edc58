const { resolve } = require('node:path');
const { getDefaultConfig, mergeConfig } = require('@react-native/metro-config');

module.exports = mergeConfig(getDefaultConfig(__dirname), {
  watchFolders: [resolve(__dirname, '../habeas/packages/consent')],
  resolver: { nodeModulesPaths: [resolve(__dirname, 'node_modules')] },
});
