# Fits y ~ 1 + (1|a) + (1|b) + ... by restricted maximum likelihood with lme4, a random intercept for
# each column but y, and writes what make.ts stores: kind,group,level,value.
# Usage: Rscript lme4.R posts.csv estimates.csv
suppressPackageStartupMessages(library(lme4))

paths <- commandArgs(trailingOnly = TRUE)
posts <- read.csv(paths[1], colClasses = "character")
posts$y <- as.numeric(posts$y)
groups <- setdiff(names(posts), "y")
formula <- reformulate(sprintf("(1|%s)", groups), response = "y")
fit <- lmer(formula, posts, REML = TRUE, control = lmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), check.conv.singular = "ignore"))

row <- function(kind, group, level, value) data.frame(kind, group, level, value = sprintf("%.9f", value))
spreads <- as.data.frame(VarCorr(fit))
effects <- ranef(fit)
rows <- c(
  list(row("intercept", "", "", fixef(fit)[[1]]), row("sigma", "", "", sigma(fit)),
    row("version", as.character(packageVersion("lme4")), "", 0)),
  lapply(groups, function(g) row("sd", g, "", spreads$sdcor[spreads$grp == g])),
  lapply(groups, function(g) row("effect", g, rownames(effects[[g]]), effects[[g]][[1]])))
write.csv(do.call(rbind, rows), paths[2], row.names = FALSE, quote = FALSE)
