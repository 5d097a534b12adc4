//go:build programs

// Package programs pins the etcd server that the cluster of the tests keeps its objects in.
package programs

import _ "go.etcd.io/etcd/server/v3"
