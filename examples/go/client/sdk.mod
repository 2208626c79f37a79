// The module of the generated client: copied to target/sdk/go/go.mod by scripts/sdk.
module example.com/common-service

go 1.26.0

require github.com/oapi-codegen/runtime v1.9.0
