// Argo CD's application controller and repository server, without its web server and its command line.
package main

import (
	"os"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	repositories "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "argocd-controllers"}
	root.AddCommand(controller.NewCommand(), repositories.NewCommand())
	if root.Execute() != nil {
		os.Exit(1)
	}
}
