export default { testEnvironment: 'node', cacheDirectory: '<rootDir>/cache' }
