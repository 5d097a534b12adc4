//go:build programs

// Package programs pins the controllers of Flux that the tests let reconcile a Git repository.
package programs

import (
	_ "github.com/fluxcd/kustomize-controller"
	_ "github.com/fluxcd/source-controller"
)
